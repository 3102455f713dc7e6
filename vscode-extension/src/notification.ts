/** Notifications: work with its progress and a cancel button, and what came of it. */

import * as vscode from "vscode";

import { type Open } from "./progress";

export const openNotification: Open = (title, cancellable, cancel) => {
  const { promise: closed, resolve: close } = deferred();
  let shown: vscode.Progress<{ message?: string; increment?: number }> | undefined;
  void vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable },
    async (progress, token) => {
      shown = progress;
      token.onCancellationRequested(cancel);
      await closed;
    },
  );
  return {
    report: (step) => shown?.report(step),
    close,
  };
};

/** Goes by itself after a while; without a button, VS Code would cut it to one line. */
export function tellOutcome(outcome: string): void {
  void vscode.window.showInformationMessage(outcome, "OK");
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
