/**
 * `npm run fuzz`: the fuzz tests with many more cases, from another seed each time. `FUZZ_RUNS` multiplies the cases of CI
 * (20 by default: about 17 million, half an hour), `FUZZ_SEED` makes a run come again.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";

const { FUZZ_RUNS = "20", FUZZ_SEED = String(randomInt(2 ** 31)) } = process.env;
console.log(`FUZZ_RUNS=${FUZZ_RUNS} FUZZ_SEED=${FUZZ_SEED}`);

const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "test/fuzz"], {
  cwd: fileURLToPath(new URL("../", import.meta.url)),
  env: { ...process.env, FUZZ_RUNS, FUZZ_SEED },
  stdio: "inherit",
});
child.on("close", (code) => {
  if (code !== 0) console.error(`failed: add the case to test/fuzz/corpus; FUZZ_SEED=${FUZZ_SEED} makes it come again`);
  process.exitCode = code ?? 1;
});
