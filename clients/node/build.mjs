// CommonJS from TypeScript, and a module in front of it: both forms share one instance, so a process has one holder whichever it imports.
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const dist = join(here, "dist");
rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [createRequire(import.meta.url).resolve("typescript/bin/tsc"), "-p", here], { stdio: "inherit" });
const names = Object.keys(createRequire(import.meta.url)(join(dist, "index.js"))).filter((name) => name !== "default");
writeFileSync(join(dist, "index.mjs"), `import cjs from "./index.js";\nexport const { ${names.join(", ")} } = cjs;\n`);
writeFileSync(join(dist, "index.d.mts"), readFileSync(join(dist, "index.d.ts"), "utf8"));
copyFileSync(join(here, "..", "..", "LICENSE"), join(here, "LICENSE"));
