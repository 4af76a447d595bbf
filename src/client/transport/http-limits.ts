/** How large the heads of HTTP messages may be, here and at every other end. Node's own limit, 16 KiB, is for browsers. */

/** Of a request: commands of `exec` and selectors are part of its URL. As Go's servers have it. */
export const requestHeadBytesMax = 1024 * 1024;
/** Headers of a request; further ones would be lost without a word. As upstream allows values of impersonated groups. */
export const requestHeadersMax = 16_384;
/** Of an answer, as Go's clients have it. */
export const answerHeadBytesMax = 10 * 1024 * 1024;
