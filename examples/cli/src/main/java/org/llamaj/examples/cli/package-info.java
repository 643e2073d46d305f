/** The command line: each sub-command is a class, and shows how a part of the library is used. */
package org.llamaj.examples.cli;
