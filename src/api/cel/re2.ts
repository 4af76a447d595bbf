/** The engine behind patterns (pattern.ts): an entry of its own, since it takes longer to load than all else that starts. */
export { RE2JS } from 're2js';
