import './looks.css';
import './panel';

document.querySelector('button')!.onclick = () => {
  document.querySelector('session-alerts')!.sessionName = 's-2';
};
