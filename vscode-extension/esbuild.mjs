// Bundles the extension into dist/extension.js; --minify for a release, --watch while at work.
import { context } from "esbuild";

const minify = process.argv.includes("--minify");
const bundle = await context({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node20",
  external: ["vscode"],
  minify,
  sourcemap: !minify,
  logLevel: "warning",
});

if (process.argv.includes("--watch")) {
  await bundle.watch();
} else {
  await bundle.rebuild();
  await bundle.dispose();
}
