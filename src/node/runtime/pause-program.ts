/**
 * The program that holds a sandbox's namespaces open, as a static ELF of a few hundred bytes, so that a cluster starts
 * without a registry and without a compiler. It sleeps in the kernel until a signal comes: SIGCHLD makes it reap what
 * the pod's processes left (it is their init when they share a pid namespace), SIGTERM and SIGINT make it exit with 0.
 *
 *     rt_sigprocmask(SIG_BLOCK, &set, NULL, 8)          // set = { SIGINT, SIGTERM, SIGCHLD }
 *     for (;;) switch (rt_sigtimedwait(&set, NULL, NULL, 8)) {
 *       case SIGCHLD: while (wait4(-1, NULL, WNOHANG, NULL) > 0); break
 *       case SIGINT: case SIGTERM: exit_group(0)
 *     }
 *
 * Blocking keeps the signals pending until they are waited for, also for process 1, so no handler is needed.
 * Upstream: build/pause/linux/pause.c.
 */

/** Processor architectures by Go's names, as images name them. */
export type Architecture = 'amd64' | 'arm64';

/** The processor this process runs on. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new Error(`containers are not supported on the ${process.arch} architecture`);
}

const x86: readonly string[] = [
  'b8 0e 00 00 00', //       mov  eax, 14 (rt_sigprocmask)
  '31 ff', //                xor  edi, edi (SIG_BLOCK)
  '48 8d 35 54 00 00 00', // lea  rsi, [rip + set]
  '31 d2', //                xor  edx, edx
  '41 ba 08 00 00 00', //    mov  r10d, 8
  '0f 05', //                syscall
  'b8 80 00 00 00', // wait: mov  eax, 128 (rt_sigtimedwait)
  '48 8d 3d 3e 00 00 00', // lea  rdi, [rip + set]
  '31 f6', //                xor  esi, esi
  '31 d2', //                xor  edx, edx
  '41 ba 08 00 00 00', //    mov  r10d, 8
  '0f 05', //                syscall
  '83 f8 11', //             cmp  eax, 17 (SIGCHLD)
  '74 13', //                je   reap
  '83 f8 02', //             cmp  eax, 2 (SIGINT)
  '74 05', //                je   exit
  '83 f8 0f', //             cmp  eax, 15 (SIGTERM)
  '75 d9', //                jne  wait
  'b8 e7 00 00 00', // exit: mov  eax, 231 (exit_group)
  '31 ff', //                xor  edi, edi
  '0f 05', //                syscall
  'b8 3d 00 00 00', // reap: mov  eax, 61 (wait4)
  '83 cf ff', //             or   edi, -1
  '31 f6', //                xor  esi, esi
  'ba 01 00 00 00', //       mov  edx, 1 (WNOHANG)
  '45 31 d2', //             xor  r10d, r10d
  '0f 05', //                syscall
  '85 c0', //                test eax, eax
  '7f e8', //                jg   reap
  'eb b6', //                jmp  wait
  '02 40 01 00 00 00 00 00', // set: bit n-1 for signal n
];

const arm: readonly string[] = [
  'e8 10 80 d2', //       mov  x8, 135 (rt_sigprocmask)
  '00 00 80 d2', //       mov  x0, 0 (SIG_BLOCK)
  '81 03 00 10', //       adr  x1, set
  '02 00 80 d2', //       mov  x2, 0
  '03 01 80 d2', //       mov  x3, 8
  '01 00 00 d4', //       svc  0
  '28 11 80 d2', // wait: mov  x8, 137 (rt_sigtimedwait)
  'e0 02 00 10', //       adr  x0, set
  '01 00 80 d2', //       mov  x1, 0
  '02 00 80 d2', //       mov  x2, 0
  '03 01 80 d2', //       mov  x3, 8
  '01 00 00 d4', //       svc  0
  '1f 44 00 71', //       cmp  w0, 17 (SIGCHLD)
  '00 01 00 54', //       b.eq reap
  '1f 08 00 71', //       cmp  w0, 2 (SIGINT)
  '60 00 00 54', //       b.eq exit
  '1f 3c 00 71', //       cmp  w0, 15 (SIGTERM)
  'a1 fe ff 54', //       b.ne wait
  'c8 0b 80 d2', // exit: mov  x8, 94 (exit_group)
  '00 00 80 d2', //       mov  x0, 0
  '01 00 00 d4', //       svc  0
  '88 20 80 d2', // reap: mov  x8, 260 (wait4)
  '00 00 80 92', //       mov  x0, -1
  '01 00 80 d2', //       mov  x1, 0
  '22 00 80 d2', //       mov  x2, 1 (WNOHANG)
  '03 00 80 d2', //       mov  x3, 0
  '01 00 00 d4', //       svc  0
  '1f 00 00 71', //       cmp  w0, 0
  '2c ff ff 54', //       b.gt reap
  'e9 ff ff 17', //       b    wait
  '02 40 01 00 00 00 00 00', // set: bit n-1 for signal n
];

const programs = {
  amd64: { machine: 62, code: x86 },
  arm64: { machine: 183, code: arm },
} as const;

const loadAddress = 0x400000;
const elfHeaderBytes = 64;
const programHeaderBytes = 56;
/** The largest page size of the architectures above. */
const alignment = 0x10000;

/** The whole executable. Format: the System V ABI, ELF-64. */
export function pauseProgram(architecture: Architecture): Buffer {
  const { machine, code } = programs[architecture];
  const text = Buffer.from(code.join('').replaceAll(' ', ''), 'hex');
  const textOffset = elfHeaderBytes + programHeaderBytes;
  const size = BigInt(textOffset + text.length);
  const header = Buffer.alloc(textOffset);
  header.write('7f454c46020101', 0, 'hex'); // ELF, 64 bits, little endian, version 1
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20); // version
  header.writeBigUInt64LE(BigInt(loadAddress + textOffset), 24); // entry point
  header.writeBigUInt64LE(BigInt(elfHeaderBytes), 32); // where the program headers are
  header.writeUInt16LE(elfHeaderBytes, 52);
  header.writeUInt16LE(programHeaderBytes, 54);
  header.writeUInt16LE(1, 56); // how many program headers
  header.writeUInt32LE(1, elfHeaderBytes); // a segment to load …
  header.writeUInt32LE(5, elfHeaderBytes + 4); // … readable and executable …
  header.writeBigUInt64LE(BigInt(loadAddress), elfHeaderBytes + 16); // … here: the whole file
  header.writeBigUInt64LE(BigInt(loadAddress), elfHeaderBytes + 24);
  header.writeBigUInt64LE(size, elfHeaderBytes + 32);
  header.writeBigUInt64LE(size, elfHeaderBytes + 40);
  header.writeBigUInt64LE(BigInt(alignment), elfHeaderBytes + 48);
  return Buffer.concat([header, text]);
}
