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

    --_critical: var(--session-alerts-critical, light-dark(#b3261e, #ff9f96));
    --_critical-tint: var(--session-alerts-critical-tint, light-dark(#fdecea, #45211f));
    --_warning: var(--session-alerts-warning, light-dark(#8a5200, #f3c469));
    --_warning-tint: var(--session-alerts-warning-tint, light-dark(#fff2d9, #3d3118));
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
    position: relative;
    display: grid;
    place-items: center;
    width: 36px;
    height: 36px;
    border-radius: 8px;
    font-size: 16px;
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
    width: 22px;
    height: 22px;
  }
  .badge {
    position: absolute;
    top: 1px;
    inset-inline-end: 1px;
    min-width: 17px;
    height: 17px;
    padding: 0 3px;
    border-radius: 9px;
    border: 1px solid transparent;
    font:
      600 11px/15px system-ui,
      sans-serif;
    text-align: center;
    font-variant-numeric: tabular-nums;
  }
  .badge.critical {
    background: #b3261e;
    color: #ffffff;
  }
  .badge.warning {
    background: #f4b73f;
    color: #2c1e00;
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
    font-size: 0.875rem;
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
    font-size: 1rem;
    font-weight: 600;
  }
  .close {
    display: grid;
    place-items: center;
    width: 32px;
    height: 32px;
    border-radius: 8px;
    color: var(--_muted);
    font-size: 1rem;
  }
  .close:hover {
    background: var(--_hover);
    color: var(--_color);
  }

  .content {
    overflow-y: auto;
    overscroll-behavior: contain;
  }
  .notice {
    display: flex;
    gap: 8px;
    align-items: flex-start;
    margin: 12px 12px 0;
    padding: 8px 12px;
    border-radius: 8px;
    background: var(--_other-tint);
    color: var(--_color);
  }
  .notice .icon {
    margin-top: 0.13em;
    color: var(--_other);
  }
  .failure {
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
  .series {
    --_mark: var(--_other);
    --_tint: var(--_other-tint);
  }
  .critical {
    --_mark: var(--_critical);
    --_tint: var(--_critical-tint);
  }
  .warning {
    --_mark: var(--_warning);
    --_tint: var(--_warning-tint);
  }
  .info {
    --_mark: var(--_info);
    --_tint: var(--_info-tint);
  }
  .sign {
    display: grid;
    place-items: center;
    width: 34px;
    height: 34px;
    border-radius: 50%;
    background: var(--_tint);
    color: var(--_mark);
    font-size: 1rem;
  }
  .title {
    font-weight: 600;
    line-height: 1.35;
    overflow-wrap: anywhere;
  }
  .meta {
    color: var(--_muted);
    font-size: 0.8125rem;
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
  .message table,
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
    font-size: 0.9em;
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
  .message table {
    border-collapse: collapse;
    font-size: 0.8125rem;
  }
  .message th,
  .message td {
    padding: 3px 8px;
    border: 1px solid var(--_border);
    text-align: start;
  }
  .message hr {
    border: 0;
    border-top: 1px solid var(--_border);
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
    min-height: 30px;
    padding: 2px 8px;
    border-radius: 7px;
    color: var(--_muted);
    font-size: 0.8125rem;
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
    width: 44px;
    height: 44px;
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
  .earlier .action[aria-expanded='true'] .icon {
    rotate: 180deg;
  }
  .ended {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: 0 10px;
    padding: 6px 8px;
    color: var(--_muted);
  }
  .ended .icon {
    margin-top: 0.1em;
  }
  .ended .title {
    font-weight: 500;
    color: var(--_color);
  }
  .hint {
    padding: 4px 8px 10px;
    color: var(--_muted);
    font-size: 0.8125rem;
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
    .badge,
    .sign,
    .notice {
      border: 1px solid;
    }
  }
`;
