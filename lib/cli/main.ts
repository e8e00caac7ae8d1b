#!/usr/bin/env node
import { Invocation } from './invocation.js';
import { createProgram } from './program.js';

const invocation = new Invocation(process);
const program = createProgram(async (command) => {
  await invocation.output.prepare();
  await command(invocation);
});
await invocation.run(async () => {
  await program.parseAsync();
});
