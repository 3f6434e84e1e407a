import { css } from 'lit';

export const styles = css`
  :host {
    color-scheme: light dark;
    display: inline-block;
    vertical-align: middle;

    --_background: var(--session-alerts-background, light-dark(#ffffff, #1c2027));
    --_color: var(--session-alerts-color, light-dark(#1c2430, #e9edf3));
    --_muted: var(--session-alerts-muted, light-dark(#566072, #a8b2c1));
    --_border: var(--session-alerts-border, light-dark(#e2e6ec, #353c47));
    --_accent: var(--session-alerts-accent, light-dark(#1f5fbf, #8fbcff));
    --_hover: color-mix(in srgb, var(--_color) 7%, transparent);
    --_radius: var(--session-alerts-radius, 12px);

    /* Whatever the page's root size is, text can be read; all that goes with it follows it. */
    --_small: max(13px, 0.8125rem);
    --_text: max(13px, 0.875rem);
    --_large: max(15px, 1rem);

    --_critical: var(--session-alerts-critical, light-dark(#b3261e, #ff9f96));
    --_critical-tint: var(--session-alerts-critical-tint, light-dark(#fdecea, #45211f));
    --_error: var(--session-alerts-error, light-dark(#a63c00, #ffb088));
    --_error-tint: var(--session-alerts-error-tint, light-dark(#ffeee3, #46281a));
    --_warning: var(--session-alerts-warning, light-dark(#8a5200, #f3c469));
    --_warning-tint: var(--session-alerts-warning-tint, light-dark(#fff2d9, #3d3118));
    --_minor: var(--session-alerts-minor, light-dark(#5c5a00, #d9d67a));
    --_minor-tint: var(--session-alerts-minor-tint, light-dark(#f6f5d8, #34341d));
    --_info: var(--session-alerts-info, light-dark(#1f5fbf, #8fbcff));
    --_info-tint: var(--session-alerts-info-tint, light-dark(#e8f1fd, #1e2f4b));
    --_other: var(--session-alerts-other, light-dark(#4b5565, #bac4d2));
    --_other-tint: var(--session-alerts-other-tint, light-dark(#eef1f5, #2c333e));
  }
  :host([hidden]) {
    display: none;
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }

  *,
  *::before {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    margin: 0;
    padding: 0;
    border: 0;
    background: none;
    cursor: pointer;
  }
  h2,
  h3,
  h4,
  p,
  ul {
    margin: 0;
    padding: 0;
    font: inherit;
  }
  ul {
    list-style: none;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 2px;
  }
  .icon {
    display: block;
    width: 1.25em;
    height: 1.25em;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.6;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  /* The bell stands in the page's own bar, whose colours it takes. */
  .bell {
    display: inline-grid;
    place-items: center;
    min-width: 2.25em;
    height: 2.25em;
    border-radius: 0.5em;
    font-size: max(16px, 1rem);
  }
  .bell > * {
    grid-area: 1 / 1;
  }
  .bell:hover,
  .bell[aria-expanded='true'] {
    background: color-mix(in srgb, currentColor 10%, transparent);
  }
  .bell:focus-visible {
    outline-color: currentColor;
    outline-offset: -2px;
  }
  .bell .icon {
    justify-self: start;
    margin-inline-start: 0.4375em;
    width: 1.375em;
    height: 1.375em;
  }
  .badge {
    place-self: start end;
    min-width: 1.5em;
    height: 1.5em;
    margin-inline-start: max(16px, 1rem);
    padding: 0 0.25em;
    align-content: center;
    text-box: trim-both cap alphabetic;
    border-radius: 0.75em;
    border: 1px solid transparent;
    font:
      600 max(13px, 0.8125rem) / 1.3 system-ui,
      sans-serif;
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .badge.critical {
    background: #b3261e;
    color: #ffffff;
  }
  .badge.error {
    background: #a63c00;
    color: #ffffff;
  }
  .badge.warning {
    background: #f4b73f;
    color: #2c1e00;
  }
  .badge.minor {
    background: #5c5a00;
    color: #ffffff;
  }
  .badge.info {
    background: #1f5fbf;
    color: #ffffff;
  }
  .badge.other {
    background: #4b5565;
    color: #ffffff;
  }
  .badge.unsure {
    background: var(--_background);
    color: var(--_color);
    border: 1px dashed var(--_muted);
  }
  /* Open, and nothing of it new. */
  .badge.mark {
    min-width: 0;
    padding: 0;
    width: 0.7em;
    height: 0.7em;
    margin: 0.2em;
  }

  .panel {
    position: fixed;
    inset: auto;
    margin: 0;
    padding: 0;
    display: flex;
    flex-direction: column;
    overflow: hidden;
    z-index: 1000;
    border: 1px solid var(--_border);
    border-radius: var(--_radius);
    background: var(--_background);
    color: var(--_color);
    box-shadow: var(
      --session-alerts-shadow,
      0 1px 2px light-dark(rgb(20 30 50 / 6%), rgb(0 0 0 / 40%)),
      0 12px 32px light-dark(rgb(20 30 50 / 16%), rgb(0 0 0 / 55%))
    );
    font-family: var(--session-alerts-font, inherit);
    font-size: var(--_text);
    font-weight: 400;
    font-style: normal;
    line-height: 1.5;
    letter-spacing: normal;
    text-align: start;
    text-transform: none;
    white-space: normal;
    cursor: auto;
    animation: appear 0.16s ease-out;
  }
  .panel[hidden] {
    display: none;
  }
  @keyframes appear {
    from {
      opacity: 0;
      translate: 0 -6px;
    }
  }

  .header {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 10px 10px 10px 16px;
    padding-inline: 16px 10px;
    border-bottom: 1px solid var(--_border);
  }
  .header h2 {
    flex: 1;
    font-size: var(--_large);
    font-weight: 600;
  }
  .close {
    display: grid;
    place-items: center;
    width: 2em;
    height: 2em;
    border-radius: 0.5em;
    color: var(--_muted);
    font-size: max(16px, 1rem);
  }
  .close:hover {
    background: var(--_hover);
    color: var(--_color);
  }

  .content {
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .notice,
  .failure {
    display: flex;
    gap: 8px;
    align-items: flex-start;
    margin: 12px 12px 0;
    padding: 8px 12px;
    border-radius: 8px;
    background: var(--_other-tint);
    color: var(--_color);
  }
  .notice .icon,
  .failure .icon {
    margin-top: 0.13em;
    color: var(--_other);
  }
  .failure {
    margin: 8px 0 0;
    background: var(--_critical-tint);
  }
  .failure .icon {
    color: var(--_critical);
  }
  .alert {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0 12px;
    padding: 14px 16px 10px;
    border-bottom: 1px solid var(--_border);
    --_mark: var(--_other);
    --_tint: var(--_other-tint);
  }
  .series,
  .ended {
    --_mark: var(--_other);
    --_tint: var(--_other-tint);
  }
  .critical {
    --_mark: var(--_critical);
    --_tint: var(--_critical-tint);
  }
  .error {
    --_mark: var(--_error);
    --_tint: var(--_error-tint);
  }
  .warning {
    --_mark: var(--_warning);
    --_tint: var(--_warning-tint);
  }
  .minor {
    --_mark: var(--_minor);
    --_tint: var(--_minor-tint);
  }
  .info {
    --_mark: var(--_info);
    --_tint: var(--_info-tint);
  }
  .sign {
    display: grid;
    place-items: center;
    width: 2.1em;
    height: 2.1em;
    border-radius: 50%;
    background: var(--_tint);
    color: var(--_mark);
    font-size: max(16px, 1rem);
  }
  .title {
    font-weight: 600;
    line-height: 1.35;
    text-align: start;
    overflow-wrap: anywhere;
  }
  .meta {
    color: var(--_muted);
    font-size: var(--_small);
    overflow-wrap: anywhere;
  }
  .severity {
    color: var(--_mark);
    font-weight: 600;
  }
  .message {
    margin-top: 4px;
    overflow-wrap: anywhere;
  }
  .message.folded {
    max-height: 18em;
    overflow: hidden;
    mask-image: linear-gradient(#000 calc(100% - 3em), transparent);
  }
  .fold {
    margin-inline-start: -8px;
  }
  .message > :first-child {
    margin-top: 0;
  }
  .message > :last-child {
    margin-bottom: 0;
  }
  .message p,
  .message ul,
  .message ol,
  .message pre,
  .message .scrolled,
  .message blockquote {
    margin: 6px 0;
  }
  .message ul,
  .message ol {
    padding-inline-start: 20px;
  }
  .message ul {
    list-style: disc;
  }
  .message a {
    color: var(--_accent);
  }
  .message code {
    font-family: ui-monospace, 'SFMono-Regular', Menlo, Consolas, monospace;
    font-size: max(13px, 0.9em);
    padding: 1px 4px;
    border-radius: 4px;
    background: var(--_other-tint);
  }
  .message pre {
    padding: 8px 10px;
    border-radius: 8px;
    background: var(--_other-tint);
    white-space: pre-wrap;
  }
  .message pre code {
    padding: 0;
    background: none;
  }
  .message blockquote {
    padding-inline-start: 10px;
    border-inline-start: 3px solid var(--_border);
    color: var(--_muted);
  }
  .message .scrolled {
    overflow-x: auto;
  }
  .message table {
    width: max-content;
    overflow-wrap: normal;
    border-collapse: collapse;
    font-size: var(--_small);
  }
  .message th,
  .message td {
    max-width: 24em;
    padding: 3px 8px;
    border: 1px solid var(--_border);
    text-align: start;
  }
  .message hr {
    border: 0;
    border-top: 1px solid var(--_border);
  }

  .leaving .title,
  .leaving .words,
  .leaving .sign {
    opacity: 0.55;
  }
  .gone {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    padding-inline-start: 8px;
    color: var(--_muted);
    font-size: var(--_small);
  }

  .group-header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0 8px;
    padding: 10px 8px 0 16px;
    padding-inline: 16px 8px;
  }
  .group-header h3 {
    flex: 1 1 auto;
    min-height: max(30px, 2.3em);
    align-content: center;
    font-weight: 600;
    font-size: var(--_small);
    color: var(--_muted);
    overflow-wrap: anywhere;
  }
  .group-header a {
    color: var(--_accent);
  }
  .group-header .all {
    margin-inline-start: -8px;
  }
  .content > .all {
    margin: 6px 8px 0;
  }
  .action:disabled {
    opacity: 0.6;
    cursor: default;
    background: none;
  }
  .notify {
    margin: 6px 8px 0;
  }

  .others {
    margin-top: 8px;
  }
  .series {
    margin: 6px 0;
    padding-inline-start: 10px;
    border-inline-start: 3px solid var(--_mark);
  }
  .series .message {
    margin-top: 0;
  }
  .series .action {
    margin-inline-start: -8px;
  }

  .actions {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
    margin-top: 6px;
    margin-inline-start: -8px;
  }
  .action {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    min-height: max(30px, 2.3em);
    padding: 2px 8px;
    border-radius: 7px;
    color: var(--_muted);
    font-size: var(--_small);
    font-weight: 500;
    text-decoration: none;
  }
  .action:hover {
    background: var(--_hover);
    color: var(--_color);
  }
  a.action {
    color: var(--_accent);
  }
  a.action:hover {
    text-decoration: underline;
  }
  .more {
    margin: 6px 8px;
  }

  .empty {
    padding: 30px 24px 28px;
    text-align: center;
    color: var(--_muted);
    border-bottom: 1px solid var(--_border);
  }
  .empty .icon {
    margin: 0 auto 12px;
    padding: 10px;
    width: 3.15em;
    height: 3.15em;
    border-radius: 50%;
    background: var(--_other-tint);
    color: var(--_other);
  }
  .empty strong {
    display: block;
    color: var(--_color);
    font-weight: 600;
  }

  .earlier {
    padding: 4px 8px;
  }
  .earlier .icon {
    transition: rotate 0.15s ease-out;
  }
  .earlier [aria-expanded='true'] .icon {
    rotate: 180deg;
  }
  .ended {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0 10px;
    padding: 6px 8px;
    color: var(--_muted);
  }
  .ended > .icon {
    margin-top: 0.23em;
  }
  .ended .title {
    display: flex;
    align-items: center;
    gap: 5px;
    min-height: 24px;
    font-weight: 500;
    text-align: start;
    color: var(--_color);
  }
  .ended .message {
    color: var(--_color);
  }
  .ended .action {
    margin-inline-start: -8px;
  }
  .hint {
    padding: 4px 8px 10px;
    color: var(--_muted);
    font-size: var(--_small);
  }
  .not-listed {
    margin: 6px 8px 0;
  }

  @media (prefers-reduced-motion: reduce) {
    .panel {
      animation: none;
    }
    .earlier .icon {
      transition: none;
    }
  }
  @media (forced-colors: active) {
    .action:disabled {
      opacity: 1;
    }
    .badge,
    .sign,
    .notice {
      border: 1px solid;
    }
  }
`;
