/** May this be done? Asked once per request; `forbidden` says no for good, `no-opinion` lets the next one answer. */
import type { RequestAttributes, UserInfo } from '../request/request.ts';

export type Decision = { readonly verdict: 'allow' | 'no-opinion' | 'forbidden'; readonly reason: string };

export interface Authorizer {
  authorize(attributes: RequestAttributes): Decision | Promise<Decision>;
  /** What this user may do in a namespace, for SelfSubjectRulesReview. */
  rulesFor?(
    user: UserInfo,
    namespace: string,
  ): {
    resourceRules: readonly {
      verbs: readonly string[];
      apiGroups?: readonly string[];
      resources?: readonly string[];
      resourceNames?: readonly string[];
    }[];
    nonResourceRules: readonly { verbs: readonly string[]; nonResourceURLs?: readonly string[] }[];
    incomplete: boolean;
    evaluationError?: string;
  };
}
