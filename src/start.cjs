#!/usr/bin/env node
"use strict";

// The start of the command. It is written so that the oldest Node can read it. An old Node cannot read the rest of the program,
// and the binary part of SQLite crashes on a Node that it does not know.

// Without a listener, Node opens a debugger on this signal: a port through which every user of the machine could take over the
// process, with the credentials in it.
process.on("SIGUSR1", function () {});

var needed = require("../package.json").engines.node.replace(">=", "").split(".");
var found = process.versions.node.split(".");
var isOld =
  Number(found[0]) < Number(needed[0]) ||
  (Number(found[0]) === Number(needed[0]) && Number(found[1]) < Number(needed[1]));

if (isOld) {
  process.stderr.write(
    "azure-lattice-sync needs Node " +
      needed.join(".") +
      " or newer, and this is Node " +
      process.versions.node +
      " (" +
      process.execPath +
      "): install a newer Node from https://nodejs.org, or use the container image.\n"
  );
  process.exit(64);
} else {
  require("./start-program.cjs");
}
