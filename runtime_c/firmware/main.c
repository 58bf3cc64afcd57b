/** @file main.c
 *  Firmware around one generated model: everything it does is asked for over the port.
 */
#include "port.h"
#include "protocol.h"

int main(void) {
    mcubnn_port_init();
    mcubnn_protocol_serve();
    return 0;
}
