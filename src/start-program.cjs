"use strict";

// A file of its own: the oldest Nodes stop at the word "import" wherever it stands.

import("./cli.js");
