/**
 * An act as lines for a terminal: time, who, what. Where the width is known, what does not fit goes on below, under the
 * words; where it is not (a pipe), an act is one line. Pure.
 */
import { styleText } from 'node:util';
import { type ActWords, describeAct, describeNote, describeRepeats, type WordsOptions } from './describe-act.ts';
import type { Told } from './follow-acts.ts';
import type { RepeatedAct } from './group-repeats.ts';

export interface RenderOptions extends WordsOptions {
  /** of the terminal; absent: as wide as the text */
  readonly width?: number | undefined;
  readonly hasColours: boolean;
  /** `12:01:03.120` of an act's time */
  timeOf(time: string): string;
}

/** Below the first, milliseconds are left out; actors get the room that there is. */
const columns = { narrow: 80, wide: 110 } as const;
const textWidthMin = 30;
const gap = '  ';

const colourOf = { plain: undefined, dim: 'dim', good: 'green', warning: 'yellow', bad: 'red' } as const;

export function renderAct(told: Told | RepeatedAct, options: RenderOptions): readonly string[] {
  if ('repeated' in told) return renderWords(describeRepeats(told, options), options);
  return 'did' in told ? renderWords(describeAct(told, options), options) : [paint(describeNote(told), 'yellow', options)];
}

function renderWords(words: ActWords, options: RenderOptions): readonly string[] {
  const { width = Number.POSITIVE_INFINITY } = options;
  const time = options.timeOf(words.time).slice(0, width < columns.narrow ? 8 : 12);
  const actorWidth = actorWidthIn(width);
  const actor = words.actor.padEnd(actorWidth);
  const head = `${time}${gap}${actor}${gap}`;
  const indent = ' '.repeat(time.length + gap.length + actorWidth + gap.length);
  const lines = wrap(words.text, { first: width - head.length, others: width - indent.length });
  return lines.map((line, i) => {
    const text = paint(line, colourOf[words.tone], options);
    return i === 0 ? `${paint(time, 'dim', options)}${gap}${paint(actor, actorColour(words), options)}${gap}${text}` : `${indent}${text}`;
  });
}

const actorWidthIn = (width: number): number => (width < columns.narrow ? 12 : width < columns.wide ? 15 : 24);
const actorColour = ({ actor }: ActWords) => (actor === 'you' ? 'bold' : 'cyan');

function paint(text: string, colour: Parameters<typeof styleText>[0] | undefined, { hasColours }: RenderOptions): string {
  return hasColours && colour ? styleText(colour, text, { validateStream: false }) : text;
}

/** At spaces; a word that is longer than a line is broken. */
function wrap(text: string, room: { readonly first: number; readonly others: number }): readonly string[] {
  const lines: string[] = [];
  let rest = text;
  if (room.first < textWidthMin && room.others > room.first) lines.push(''); // beside a long name there is no room
  for (;;) {
    const width = Math.max(textWidthMin, lines.length === 0 ? room.first : room.others);
    if (rest.length <= width) return [...lines, rest];
    const at = rest.lastIndexOf(' ', width);
    lines.push(rest.slice(0, at > 0 ? at : width));
    rest = rest.slice(at > 0 ? at + 1 : width);
  }
}
