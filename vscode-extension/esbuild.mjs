// Bundles the extension into dist/extension.js; --minify for a release, --watch while at work,
// --host for dist/host.js too, the tests that run inside VS Code.
import { context } from "esbuild";

const minify = process.argv.includes("--minify");

async function bundle(entry, outfile, external) {
  const made = await context({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["vscode", ...external],
    minify,
    sourcemap: !minify,
    logLevel: "warning",
  });
  if (process.argv.includes("--watch")) {
    await made.watch();
  } else {
    await made.rebuild();
    await made.dispose();
  }
}

await bundle("src/extension.ts", "dist/extension.js", []);
if (process.argv.includes("--host")) {
  await bundle("test/host/index.ts", "dist/host.js", ["mocha"]);
}
