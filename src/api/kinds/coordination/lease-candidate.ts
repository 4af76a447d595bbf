/** LeaseCandidate: who would like to hold a lease. Upstream: pkg/apis/coordination/validation/validation.go. */
import { LeaseCandidate, LeaseCandidateV1alpha2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkConfigMapKey } from '../../meta/names.ts';
import { all, fields, filled, immutable, refuse, required } from '../../schema/rules/rules.ts';
import type { Rule } from '../../schema/rules/walk.ts';
import { nameAndAge, textColumns } from '../cells.ts';
import { defineVersions } from '../define-kind.ts';
import { strategy } from './lease.ts';

type Candidate = LeaseCandidate | LeaseCandidateV1alpha2;
type CandidateSpec = Candidate['spec'];

const number = '(0|[1-9]\\d*)';
const word = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const semanticVersion = new RegExp(`^${number}\\.${number}\\.${number}(-${word}(\\.${word})*)?(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?$`);

const isVersion = (text: string): boolean => semanticVersion.test(text);
const version: Rule<string> = refuse((text) => !isVersion(text), 'must be a valid semantic version');

const numbersOf = (version: string): readonly number[] => version.split(/[-+]/, 1).join('').split('.').map(Number);

/** By number, and a pre-release before its release. */
function isOlder(a: string, b: string): boolean {
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const differs = left.findIndex((part, i) => part !== right[i]);
  if (differs >= 0) return (left[differs] ?? 0) < (right[differs] ?? 0);
  const preRelease = (version: string): string => /^[^+-]*-([^+]*)/.exec(version)?.[1] ?? '';
  const [pre, other] = [preRelease(a), preRelease(b)];
  return pre !== other && pre !== '' && (other === '' || pre < other);
}

const compatible: Rule<CandidateSpec> = ({ binaryVersion = '', emulationVersion = '', strategy: chosen }, walk) => {
  const isEmulated = isVersion(emulationVersion);
  if (isVersion(binaryVersion) && isEmulated && isOlder(binaryVersion, emulationVersion)) {
    walk.invalid('binaryVersion', binaryVersion, 'must be greater than or equal to `emulationVersion`');
  }
  if (chosen === 'OldestEmulationVersion' && !isEmulated) {
    walk.required('emulationVersion', "must be specified when `strategy` is 'OldestEmulationVersion'");
  }
};

const specRule = all<CandidateSpec>(
  fields({ leaseName: required(), emulationVersion: filled(version), binaryVersion: required(version) }),
  compatible,
  fields({ strategy: required(strategy), leaseName: immutable() }),
);

const hooks: KindHooks<Candidate> = {
  rules: fields({ spec: specRule }),
  cells: nameAndAge(({ spec }) => [spec.leaseName, spec.binaryVersion, spec.emulationVersion ?? '']),
};

const extra = {
  validateName: (name: string) => checkConfigMapKey(name),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks,
  columns: textColumns('Name', 'LeaseName', 'BinaryVersion', 'EmulationVersion', 'Age'),
};

export const [leaseCandidate, leaseCandidateV1alpha2] = defineVersions([LeaseCandidate, LeaseCandidateV1alpha2], extra);
