/** Choosing the base model: what is known, what fits this machine; fetched where it must be. */

import * as vscode from "vscode";

import { type Program, withArguments } from "./command";
import { type Model, modelChoices, modelsOf, size } from "./models";
import { run } from "./processes";

/**
 * Lets the user pick a base model, fetches it, and writes it into the user's own settings file.
 *
 * @param program - `personalizer`.
 */
export async function chooseModel(program: Program, log: vscode.LogOutputChannel): Promise<void> {
  const picked = await pick(program, log);
  if (picked === undefined || !(await fetched(picked, program, log))) {
    return;
  }
  await ask(program, ["models", "use", picked.name], log);
  const trains = "Train Adapter";
  const chosen = await vscode.window.showInformationMessage(
    `${picked.name} is the base model of your trainings from now on.`,
    trains,
  );
  if (chosen === trains) {
    await vscode.commands.executeCommand("personalizer.trainHere");
  }
}

async function pick(program: Program, log: vscode.LogOutputChannel): Promise<Model | undefined> {
  const known = Promise.all([
    ask(program, ["models", "list", "--json"], log),
    ask(program, ["config", "--json"], log),
  ]).then(([models, config]) => modelChoices(modelsOf(models), baseOf(config)));
  const row = await vscode.window.showQuickPick(known, {
    title: "Base model",
    placeHolder: "A larger model writes better tests and trains for longer",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return row?.model;
}

/** Whether the model is there now: the user may rather not fetch it. */
async function fetched(
  model: Model,
  program: Program,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  if (model.here) {
    return true;
  }
  const consent = `Fetch ${size(model.bytes)}`;
  const answer = await vscode.window.showInformationMessage(
    `${model.name} is fetched from the Hugging Face hub, under its licence: ${model.licence}.`,
    { modal: true },
    consent,
  );
  if (answer !== consent) {
    return false;
  }
  const ending = new AbortController();
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: `Fetching ${model.name}`,
      cancellable: true,
    },
    async (progress, token) => {
      token.onCancellationRequested(() => {
        ending.abort();
      });
      try {
        await run(
          withArguments(program, "models", "pull", model.name),
          (line) => {
            log.info(line);
            progress.report({ message: line.replace(/\|.*$/, "") }); // without a bar's blocks
          },
          ending.signal,
        );
        return true;
      } catch (error) {
        if (token.isCancellationRequested) {
          return false; // What has come so far is kept, and need not come again.
        }
        throw error;
      }
    },
  );
}

function ask(program: Program, args: string[], log: vscode.LogOutputChannel): Promise<string> {
  return run(
    withArguments(program, ...args),
    (line) => {
      log.debug(line);
    },
    new AbortController().signal,
  );
}

function baseOf(config: string): string | undefined {
  const { settings } = JSON.parse(config) as {
    settings: { name: string; value: unknown }[];
  };
  const base = settings.find((one) => one.name === "base")?.value;
  return typeof base === "string" ? base : undefined;
}
