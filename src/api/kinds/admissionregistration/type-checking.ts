/**
 * What is wrong with the expressions of a validating policy by the types of the resources that it names and of its
 * parameters. It only warns: the policy works on whatever it is given. Rules with wildcards, and subresources, are not
 * looked at.
 * Upstream: apiserver/pkg/admission/plugin/policy/validating/typechecking.go.
 */
import { typedEnvironment } from '../../cel/admission/environment.ts';
import { Compiler } from '../../cel/admission/expressions.ts';
import { CompileError } from '../../cel/compile.ts';
import * as t from '../../cel/types.ts';
import type { ExpressionWarning, RuleWithOperations, ValidatingAdmissionPolicySpec } from '../../generated/admissionregistration-v1.ts';
import type { Kind } from '../../meta/kind.ts';
import type { Steps } from '../../meta/steps.ts';
import type { KindSnapshot } from '../kind-snapshot.ts';
import { listOf } from '../lists.ts';
import { typeOfKind } from './object-types.ts';

/** How many resources of one rule are looked at; after the last of them no further rule is. */
const typesMax = 10;

/** A step per expression and type. */
export function* checkTypes(spec: ValidatingAdmissionPolicySpec, served: KindSnapshot): Steps<readonly ExpressionWarning[]> {
  const params = spec.paramKind && paramsType(spec.paramKind, served);
  const compilers: { readonly kind: Kind; readonly compiler: Compiler }[] = [];
  for (const kind of kindsToCheck(listOf(spec.matchConstraints?.resourceRules), served)) {
    const compiler = new Compiler(typedEnvironment({ object: typeOfKind(kind) ?? t.DYN, params }), true);
    for (const { name, expression } of listOf(spec.variables)) {
      compiler.addVariable(name, expression);
      yield;
    }
    compilers.push({ kind, compiler });
  }
  const warnings: ExpressionWarning[] = [];
  for (const [i, { expression, messageExpression }] of listOf(spec.validations).entries()) {
    for (const [field, text] of Object.entries({ expression, messageExpression })) {
      const told: string[] = [];
      for (const { kind, compiler } of text ? compilers : []) {
        const { program } = compiler.compile(text ?? '');
        if (program instanceof CompileError) told.push(describe(kind, program));
        yield;
      }
      if (told.length > 0) warnings.push({ fieldRef: `spec.validations[${i}].${field}`, warning: told.join('\n') });
    }
  }
  return warnings;
}

const describe = (kind: Kind, { detail }: CompileError): string =>
  `${kind.group}/${kind.version}, Kind=${kind.kind}: ${detail.replace(/^compilation failed: /, '')}\n`;

function paramsType({ apiVersion = '', kind = '' }: { apiVersion?: string; kind?: string }, served: KindSnapshot): t.Type {
  const known = served.byApiVersion(apiVersion, kind);
  return (known && typeOfKind(known)) ?? t.DYN;
}

/** In the order of their names. */
function kindsToCheck(rules: readonly RuleWithOperations[], served: KindSnapshot): readonly Kind[] {
  const found = new Set<Kind>();
  for (const rule of rules) {
    const named = [...kindsOf(rule, served)].slice(0, typesMax);
    for (const kind of named) found.add(kind);
    if (named.length === typesMax) break;
  }
  const key = ({ group, version, kind }: Kind): string => `${group} ${version} ${kind}`;
  return [...found].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

const isWild = (word: string): boolean => word.includes('*');

function* kindsOf(rule: RuleWithOperations, served: KindSnapshot): Generator<Kind> {
  const [groups, versions] = [listOf(rule.apiGroups), listOf(rule.apiVersions)];
  if (groups.some(isWild) || versions.some(isWild)) return;
  const resources = listOf(rule.resources).filter((resource) => !/[*/]/.test(resource));
  for (const group of groups.toSorted()) {
    for (const version of versions.toSorted()) for (const resource of resources.toSorted()) yield* named(served, group, version, resource);
  }
}

/** The core group has no name, and so any group is meant; as upstream. */
function* named(served: KindSnapshot, group: string, version: string, resource: string): Generator<Kind> {
  const known = served.byResource(group, version, resource);
  if (group && known) yield known;
  if (!group) yield* served.list().filter((kind) => kind.version === version && kind.resource === resource);
}
