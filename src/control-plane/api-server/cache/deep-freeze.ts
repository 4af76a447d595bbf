/**
 * Freezes an object and all it holds. What is frozen already is not entered: in this server only whole trees are
 * frozen, so an update that keeps its spec pays for its status only.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    if (Array.isArray(value)) for (const item of value) deepFreeze(item);
    else for (const key in value) deepFreeze(value[key]);
  }
  return value;
}
