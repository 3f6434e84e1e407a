import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SessionPanel } from './SessionPanel';

function App() {
  const [session, setSession] = useState('s-1');
  return (
    <>
      <SessionPanel session={session} />
      <button onClick={() => setSession('s-2')}>Other session</button>
    </>
  );
}

createRoot(document.querySelector('#app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
