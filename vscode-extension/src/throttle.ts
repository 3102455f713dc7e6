/** Work that is wished for more often than it is worth doing. */

export class Throttle {
  private timer: NodeJS.Timeout | undefined;
  private wished = false;
  private busy = false;
  private over = false;

  /**
   * @param work - Done once for all wishes since it was last begun; must not reject.
   * @param pause - Milliseconds in which several wishes become one.
   * @param share - The work takes one part in so many of the time, at most.
   */
  constructor(
    private readonly work: () => Promise<void>,
    private readonly pause = 300,
    private readonly share = 5,
  ) {}

  wish(): void {
    this.wished = true;
    if (!this.busy) {
      this.busy = true;
      this.later(this.pause, () => void this.act());
    }
  }

  end(): void {
    this.over = true;
    clearTimeout(this.timer);
  }

  private async act(): Promise<void> {
    this.wished = false;
    const begin = Date.now();
    await this.work();
    this.later((this.share - 1) * (Date.now() - begin), () => {
      this.busy = false;
      if (this.wished) {
        this.wish();
      }
    });
  }

  private later(milliseconds: number, act: () => void): void {
    if (!this.over) {
      this.timer = setTimeout(act, milliseconds);
    }
  }
}
