/** @file protocol.h
 *  The device's side of docs/PROTOCOL.md: answers one request after the other.
 */
#ifndef MCUBNN_PROTOCOL_H
#define MCUBNN_PROTOCOL_H

/** Version of the frames and payloads; the hello carries it. */
#define MCUBNN_PROTOCOL_VERSION 2u

/** Serves requests until the port reports the end of input, which a board never does. */
void mcubnn_protocol_serve(void);

#endif
