import { html } from 'lit';
import type { TemplateResult } from 'lit';

/** A modal dialog of the page, which no panel may open in front of. */
export function stopDialog(session: string, stop: () => void): TemplateResult {
  return html`<dialog
    class="stopping"
    aria-labelledby="stopping"
    @close=${({ target }: Event) => {
      const dialog = target as HTMLDialogElement;
      if (dialog.returnValue === 'stop') stop();
      dialog.returnValue = '';
    }}
  >
    <form method="dialog">
      <h2 id="stopping">Stop the session?</h2>
      <p>What is not saved in ${session} is lost.</p>
      <div class="buttons">
        <button value="no" autofocus>No</button>
        <button value="stop" class="grave">Yes, stop it</button>
      </div>
    </form>
  </dialog>`;
}
