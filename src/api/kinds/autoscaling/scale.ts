/** How a Scale is shown: it is a view of other kinds, not a kind of its own. Upstream: pkg/printers/internalversion (printScale). */
import type { Scale } from '../../generated/autoscaling-v1.ts';
import type { Cell, Column } from '../../meta/kind.ts';
import type { KubeObject } from '../../meta/object.ts';
import { type CellContext, nameAndAge } from '../cells.ts';

const column = (name: string, type: string, description: string): Column => ({ name, type, format: '', description, priority: 0 });
const rowOf = nameAndAge<KubeObject & Scale>(({ spec, status }) => [spec?.replicas ?? 0, status?.replicas ?? 0]);

export const scaleDisplay = {
  columns: [
    column('Name', 'string', 'Name of the scaled object.'),
    column('Desired', 'integer', 'replicas is the desired number of instances for the scaled object.'),
    column('Available', 'integer', 'replicas is the actual number of observed instances of the scaled object.'),
    column('Age', 'string', 'Time since the scaled object was created.'),
  ],
  hooks: { cells: (object: KubeObject, at: CellContext): readonly Cell[] => rowOf(object as KubeObject & Scale, at) },
};
