/** JSON as Go writes it: with nothing in its texts that a page could take for markup. */
export const escapeAsGo = (json: string): string =>
  json.replaceAll(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
