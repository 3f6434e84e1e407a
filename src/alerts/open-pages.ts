import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';

/** Who has a page open that this process sends every change to. */
@Injectable()
export class OpenPages {
  private readonly subject = new Subject<string>();
  private readonly pages = new Map<string, number>();

  /** Users whose first page has opened, or whose last has closed. */
  readonly changes: Observable<string> = this.subject.asObservable();

  get userIds(): string[] {
    return [...this.pages.keys()];
  }

  has(userId: string): boolean {
    return this.pages.has(userId);
  }

  add(userId: string): void {
    const pages = this.pages.get(userId) ?? 0;
    this.pages.set(userId, pages + 1);
    if (pages === 0) this.subject.next(userId);
  }

  remove(userId: string): void {
    const pages = this.pages.get(userId) ?? 0;
    if (pages > 1) this.pages.set(userId, pages - 1);
    else if (this.pages.delete(userId)) this.subject.next(userId);
  }
}
