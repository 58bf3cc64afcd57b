/** @file port.h
 *  What the streaming firmware needs from a board: a byte stream and a counter.
 *
 *  Each folder beside this file implements it for one family of boards; exactly one is linked.
 *  No function allocates, and none is called through a pointer.
 */
#ifndef MCUBNN_PORT_H
#define MCUBNN_PORT_H

#include <stdint.h>

/** What mcubnn_port_read returns when there will never be another byte. */
#define MCUBNN_PORT_END (-1)

/** Set up the clock, the byte stream and the counter. Call it first, and once. */
void mcubnn_port_init(void);

/** Wait for one byte.
 *  @return 0 to 255, or MCUBNN_PORT_END at the end of the input (host only). */
int32_t mcubnn_port_read(void);

/** Send bytes; returns when the hardware has taken the last one. */
void mcubnn_port_write(const uint8_t *data, uint32_t length);

/** Free-running counter that wraps at 2^32; always 0 where there is none. */
uint32_t mcubnn_port_ticks(void);

/** Ticks per second of that counter; the core clock where it counts core cycles, 0 where there is
 *  no counter. */
uint32_t mcubnn_port_tick_hz(void);

/** Called on a CPU fault or an unexpected exception; must not return.
 *  The default, a weak symbol, stops in an endless loop; a firmware may define its own. */
void mcubnn_port_fault(void);

#endif
