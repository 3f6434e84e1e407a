import type { ReactNode } from 'react';
// The server loads it too.
import 'session-alerts-panel';

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
