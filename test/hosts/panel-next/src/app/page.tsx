'use client';

import { useState } from 'react';
import { SessionPanel } from '../SessionPanel';

export default function Page() {
  const [session, setSession] = useState('s-1');
  return (
    <>
      <SessionPanel session={session} />
      <button onClick={() => setSession('s-2')}>Other session</button>
    </>
  );
}
