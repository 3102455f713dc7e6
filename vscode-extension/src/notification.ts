/** A notification with progress and a cancel button. */

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

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
