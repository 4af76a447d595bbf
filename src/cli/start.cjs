#!/usr/bin/env node
/**
 * The first file of the package. It says in one line when this Node is too old, where the rest would be a SyntaxError,
 * else hands over to main. What is needed stands in package.json (`engines`). Any Node from 6 on can read this file.
 */
'use strict';

const numbers = (version) => version.split('.').map(Number);
const least = (part) => numbers(part.replace(/^\D+/, ''));

/** Of `^24.16.0 || >=26.1.0`: `^` stays within its first number. */
function fits(version, part) {
  const [major, minor] = least(part);
  return (version[0] === major && version[1] >= minor) || (version[0] > major && part.charAt(0) !== '^');
}

const parts = require('../../package.json').engines.node.split(' || ');
const version = numbers(process.versions.node);
if (parts.some((part) => fits(version, part))) {
  require('./main.js');
} else {
  const short = (of) => of.slice(0, 2).join('.');
  const needed = parts.map((part) => short(least(part))).join(', ');
  const packages = process.env.npm_command === 'exec' ? '-p node@24 -p timonier' : '-p node@24'; // npx leaves nothing behind
  console.error(`timonier needs Node ${needed} or newer; this is ${short(version)}. Try: npx ${packages} timonier up`);
  process.exitCode = 1;
}
