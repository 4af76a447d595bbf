/** The entry: turns the compile cache on before anything else is loaded. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { main } = await import('./program.ts');
await main(process.argv);
