/**
 * A place in a ring. A ring is a list that an element leaves without being searched for and without a trace, at the
 * price of two pointers: an array would keep the ended ones until somebody cleans it.
 */
export class Link {
  next: Link = this;
  previous: Link = this;

  /** Whether this is alone: for the head of a ring, that the ring is empty. */
  get alone(): boolean {
    return this.next === this;
  }

  /** Joins the ring of `head`, as its last element. */
  joinRing(head: Link): void {
    this.previous = head.previous;
    this.next = head;
    head.previous.next = this;
    head.previous = this;
  }

  leaveRing(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this.previous = this;
  }
}
