import { Injectable } from '@nestjs/common';

/** What is added to the database's time wherever a moment is decided on; tests move it to let hours pass. */
@Injectable()
export class AlertsClock {
  /** ms */
  ahead = 0;
}
