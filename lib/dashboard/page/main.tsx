import { render } from 'preact';

import { App } from './app.js';
import { followTheme } from './theme.js';

followTheme();
const root = document.getElementById('page');
if (root !== null) render(<App />, root);
