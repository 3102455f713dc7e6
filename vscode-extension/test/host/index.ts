/** Mocha inside the extension host: `run` is what VS Code calls of `extensionTestsPath`. */

import Mocha from "mocha";

export async function run(): Promise<void> {
  const mocha = new Mocha({ timeout: 90_000, reporter: Told });
  mocha.suite.emit(Mocha.Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, "", mocha);
  await import("./facts");
  await new Promise<void>((resolve, reject) => {
    mocha.run((failures) => {
      if (failures === 0) {
        resolve();
      } else {
        reject(new Error(`${failures} facts do not hold`));
      }
    });
  });
}

/** One line a fact, on the console, which whoever runs the host reads. */
class Told extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.on("pass", (test) => {
      console.log(`holds: ${test.fullTitle()}`);
    });
    runner.on("fail", (test, error) => {
      console.log(`fails: ${test.fullTitle()}: ${(error as Error).stack ?? String(error)}`);
    });
  }
}
