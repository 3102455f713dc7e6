/** The commands of the palette. The server's own are registered by the language client. */

import * as vscode from "vscode";

import { chooseModel } from "./chooseModel";
import { type PersonalizerServer } from "./server";
import { type StatusView } from "./statusView";

export function registerCommands(
  server: PersonalizerServer,
  statusView: StatusView,
  restart: () => Promise<void>,
  log: vscode.LogOutputChannel,
): vscode.Disposable[] {
  let editor = vscode.window.activeTextEditor;
  const following = vscode.window.onDidChangeActiveTextEditor((active) => {
    editor = active ?? editor; // there is none while the walkthrough or the status view is up
  });
  const atCursor = (command: string) => async () => {
    if (editor?.document.languageId !== "java" || editor.document.isClosed) {
      void wantJavaFile();
      return;
    }
    const { line, character } = editor.selection.active;
    await server.execute(command, {
      textDocument: { uri: editor.document.uri.toString() },
      position: { line, character },
    });
    await vscode.commands.executeCommand("setContext", "personalizer.hasGenerated", true);
  };
  const withFolder = (act: (folder: vscode.WorkspaceFolder) => Promise<void>) => async () => {
    const folder = await chosenFolder();
    if (folder) {
      await act(folder);
    }
  };
  const ofFolder = (command: string) =>
    withFolder((folder) => server.execute(command, folder.uri.toString()));
  const train = async () => {
    if (vscode.workspace.isTrusted) {
      await ofFolder("personalizer.train")();
    } else {
      void vscode.window.showWarningMessage(
        "Training reads and learns from the whole project: trust this workspace first.",
      );
    }
  };
  const needsServer: Record<string, () => Promise<void>> = {
    generateTestHere: atCursor("personalizer.generateTest"),
    generateSnippetHere: atCursor("personalizer.generateSnippet"),
    trainHere: train,
    chooseTestHere: atCursor("personalizer.chooseTest"),
    anotherTestHere: atCursor("personalizer.anotherTest"),
    cancelTrainingHere: ofFolder("personalizer.cancelTraining"),
    showStatusHere: withFolder((folder) => statusView.show(folder)),
    rollBackHere: ofFolder("personalizer.rollBack"),
    switchAdapterHere: ofFolder("personalizer.useAdapter"), // which asks for one
    chooseModel: () => chooseModel(server.program(), log),
  };
  return [
    following,
    ...Object.entries(needsServer).map(([name, act]) =>
      vscode.commands.registerCommand(`personalizer.${name}`, async () => {
        if (!server.running) {
          await restart();
        }
        if (server.running) {
          await act().catch((error: unknown) => {
            const told = error instanceof Error ? error.message : String(error);
            void vscode.window.showErrorMessage(told);
          });
        }
      }),
    ),
    vscode.commands.registerCommand("personalizer.restartServer", restart),
    vscode.commands.registerCommand("personalizer.openLog", () => {
      log.show();
    }),
  ];
}

async function wantJavaFile(): Promise<void> {
  const go = "Go to File";
  const chosen = await vscode.window.showWarningMessage(
    "Open a Java file and put the cursor into a method.",
    go,
  );
  if (chosen === go) {
    await vscode.commands.executeCommand("workbench.action.quickOpen", ".java");
  }
}

/** The folder of the active file, the only one, or the one that the user picks. */
async function chosenFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const file = vscode.window.activeTextEditor?.document.uri;
  const around = file && vscode.workspace.getWorkspaceFolder(file);
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (around || folders.length < 2) {
    return around ?? folders[0];
  }
  return vscode.window.showWorkspaceFolderPick({ placeHolder: "Which project?" });
}
