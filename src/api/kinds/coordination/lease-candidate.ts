/** LeaseCandidate: who would like to hold a lease. Upstream: pkg/apis/coordination/validation/validation.go. */
import { LeaseCandidate, LeaseCandidateV1alpha2 } from '../../generated/kinds.ts';
import type { KindHooks } from '../../meta/kind.ts';
import { checkConfigMapKey } from '../../meta/names.ts';
import { type FieldError, fieldErrors } from '../../meta/status-error.ts';
import { nameAndAge, textColumns } from '../cells.ts';
import { checkImmutable, checkPresent, type Errors } from '../checks.ts';
import { defineKind } from '../define-kind.ts';
import { checkStrategy } from './lease.ts';

type Candidate = LeaseCandidate | LeaseCandidateV1alpha2;

const hooks: KindHooks<Candidate> = {
  validate,
  cells: nameAndAge(({ spec }) => [spec.leaseName, spec.binaryVersion, spec.emulationVersion ?? '']),
};

const extra = {
  validateName: (name: string) => checkConfigMapKey(name),
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  hooks,
  columns: textColumns('Name', 'LeaseName', 'BinaryVersion', 'EmulationVersion', 'Age'),
};

export const leaseCandidate = defineKind<Candidate>(LeaseCandidate, extra);
export const leaseCandidateV1alpha2 = defineKind<Candidate>(LeaseCandidateV1alpha2, extra);

const number = '(0|[1-9]\\d*)';
const word = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)';
const semanticVersion = new RegExp(`^${number}\\.${number}\\.${number}(-${word}(\\.${word})*)?(\\+[0-9a-zA-Z-]+(\\.[0-9a-zA-Z-]+)*)?$`);

/** True when it is a version; an absent one is none. */
function checkVersion(errors: Errors, path: string, version: string): boolean {
  if (!version) return false;
  if (semanticVersion.test(version)) return true;
  errors.push(fieldErrors.invalid(path, version, 'must be a valid semantic version'));
  return false;
}

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

function validate({ spec }: Candidate, old?: Candidate): readonly FieldError[] {
  const errors: Errors = [];
  const { binaryVersion, emulationVersion = '', strategy } = spec;
  checkPresent(errors, 'spec.leaseName', spec.leaseName);
  const emulated = checkVersion(errors, 'spec.emulationVersion', emulationVersion);
  const known = checkPresent(errors, 'spec.binaryVersion', binaryVersion) && checkVersion(errors, 'spec.binaryVersion', binaryVersion);
  if (known && emulated && isOlder(binaryVersion, emulationVersion)) {
    const message = 'must be greater than or equal to `emulationVersion`';
    errors.push(fieldErrors.invalid('spec.binaryVersion', binaryVersion, message));
  }
  if (!strategy) errors.push(fieldErrors.required('spec.strategy'));
  else {
    if (strategy === 'OldestEmulationVersion' && !emulated) {
      const message = "must be specified when `strategy` is 'OldestEmulationVersion'";
      errors.push(fieldErrors.required('spec.emulationVersion', message));
    }
    checkStrategy(errors, 'spec.strategy', strategy);
  }
  if (old) checkImmutable(errors, 'spec.leaseName', spec.leaseName, old.spec.leaseName);
  return errors;
}
