/**
 * What the processor and the operating system offer, and how code gets to run. What a processor has
 * is asked of itself ({@code Processor}, {@code Feature}) and gives one of a few levels ({@code
 * Level}); AMX also needs the system's permission ({@code SystemCalls}), and without it the next
 * level is used.
 *
 * <p>A function in executable memory is a {@code MachineCode}. It is made for a type, a row length
 * and a number of activation rows when it is first needed ({@code CodeCache}, {@code ShapedCode}),
 * so offsets and tails are constants in it. {@code Scratch} is memory for what it writes.
 */
package org.llamaj.kernel.x86.machine;
