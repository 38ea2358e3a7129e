const LIFETIME_MILLISECONDS = 3000;

interface Answer {
  readonly askedAt: number;
  readonly answer: Promise<unknown>;
}

/**
 * What servers and volumes answered a moment ago. The engine compares one resource after the other, and many of them
 * ask the same: a preview asks it once. That nobody answers counts too, so that nobody is waited for time and again.
 * Whatever the provider changes, it asks anew afterwards.
 */
export class RecentAnswers {
  readonly #answers = new Map<string, Answer>();

  /** @param key what is asked, and of whom. */
  ask<T>(key: string, question: () => Promise<T>): Promise<T> {
    const recent = this.#answers.get(key);
    if (recent !== undefined && performance.now() - recent.askedAt < LIFETIME_MILLISECONDS) {
      return recent.answer as Promise<T>;
    }
    const answer = question();
    this.#answers.set(key, { askedAt: performance.now(), answer });
    return answer;
  }

  forget(): void {
    this.#answers.clear();
  }
}
