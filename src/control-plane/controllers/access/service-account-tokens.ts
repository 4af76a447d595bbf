/**
 * Secrets of type kubernetes.io/service-account-token get what they are made for: an endless token of the account that
 * they name, its namespace, and the certificate of the API's authority. One whose account is gone is deleted; one that is
 * deleted is taken off its account's list. Upstream: pkg/controller/serviceaccount/tokens_controller.go.
 */
import { Secret, ServiceAccount } from '../../../api/generated/kinds.ts';
import { equalJson } from '../../../api/meta/deep-equal.ts';
import { keyOf, type ObjectName, parseKey } from '../../../api/meta/object.ts';
import { isConflict, isNotFound } from '../../../api/meta/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { type Controller, defineController, watched } from '../../../client/controllers/controller.ts';

const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';
const ofType = { fieldSelector: 'type=kubernetes.io/service-account-token' };

export type IssueSecretToken = (account: ServiceAccount, secretName: string) => string;

export function serviceAccountTokens({ issue, rootCA }: { readonly issue: IssueSecretToken; readonly rootCA: string }): Controller {
  const isOf = (secret: Secret, { metadata }: ServiceAccount): boolean =>
    secret.metadata.namespace === metadata.namespace && secret.metadata.annotations?.[nameAnnotation] === metadata.name;
  return defineController({
    name: 'serviceaccount-token-controller',
    user: 'system:kube-controller-manager',
    watches: [
      watched(Secret, undefined, ofType),
      watched(ServiceAccount, (account, _, { client }) =>
        client
          .informer(Secret, ofType)
          .list()
          .filter((secret) => isOf(secret, account))
          .map(keyOf),
      ),
    ],
    async reconcile(key, { client }) {
      const secret = client.informer(Secret, ofType).get(key);
      if (!secret) return await takeOffLists(client, parseKey(key));
      if (secret.metadata.deletionTimestamp) return;
      const { namespace, annotations = {}, name, uid } = secret.metadata;
      const account = await accountOf(client, { namespace, name: annotations[nameAnnotation] ?? '' }, annotations[uidAnnotation]);
      try {
        if (!account) await client.delete(Secret, parseKey(key), { preconditions: { uid } });
        else {
          const wanted = planSecret(secret, account, { token: () => issue(account, name), rootCA });
          if (!equalJson(wanted, secret)) await client.update(Secret, wanted);
        }
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error; // it changed meanwhile: its event follows
      }
    },
  });
}

/** The account by this name, of this uid where there is one. The cache may be late, and a Secret is not deleted on a guess. */
async function accountOf(
  client: Client,
  at: { namespace: string; name: string },
  uid: string | undefined,
): Promise<ServiceAccount | undefined> {
  const isMeant = (account: ServiceAccount | undefined): boolean => account !== undefined && (!uid || account.metadata.uid === uid);
  const cached = client.informer(ServiceAccount).get(`${at.namespace}/${at.name}`);
  if (isMeant(cached)) return cached;
  try {
    const account = await client.get(ServiceAccount, at);
    return isMeant(account) ? account : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function takeOffLists(client: Client, { namespace, name }: ObjectName): Promise<void> {
  for (const account of client.informer(ServiceAccount).list(namespace)) {
    const secrets = account.secrets?.filter((secret) => secret.name !== name) ?? [];
    if (secrets.length < (account.secrets?.length ?? 0)) await client.update(ServiceAccount, { ...account, secrets });
  }
}

function planSecret(secret: Secret, { metadata }: ServiceAccount, fill: { token(): string; rootCA: string }): Secret {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const { data = {} } = secret;
  const annotations = { ...secret.metadata.annotations, [nameAnnotation]: metadata.name, [uidAnnotation]: metadata.uid };
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations },
    data: {
      ...data,
      'ca.crt': encode(fill.rootCA),
      namespace: data['namespace'] || encode(secret.metadata.namespace),
      token: data['token'] || encode(fill.token()),
    },
  };
}
