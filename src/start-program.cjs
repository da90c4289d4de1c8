"use strict";

// In its own file, because the oldest Nodes stop at the word "import" wherever it is.

import("./cli.js");
