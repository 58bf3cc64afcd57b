/** @file mps3.c
 *  Port for Arm's MPS3 FPGA image AN547, which QEMU emulates.
 *
 *  The ticks come from the system counter: SysTick has only 24 bits and QEMU has no DWT counter.
 *
 *  While nothing arrives the core sleeps, as in the port for MPS2.
 */
#include "mps3.h"
#include "port.h"

void mcubnn_port_init(void) {
    MPS3_UART0->BAUDDIV = MPS3_PERIPHERAL_CLOCK_HZ / MCUBNN_PORT_BAUD;
    MPS3_UART0->CTRL =
        MPS3_UART_CTRL_TX_ENABLE | MPS3_UART_CTRL_RX_ENABLE | MPS3_UART_CTRL_RX_INTERRUPT;
    __asm__ volatile("cpsid i" ::: "memory");
    MPS3_NVIC_ENABLE = MPS3_UART0_RX_INTERRUPT;
    (void)MPS3_UART0->DATA; /* QEMU asks its line for bytes only after a first read */
    MPS3_COUNTER->CNTCR = MPS3_COUNTER_ENABLE;
}

int32_t mcubnn_port_read(void) {
    while ((MPS3_UART0->STATE & MPS3_UART_STATE_RX_FULL) == 0u) {
        MPS3_UART0->INTSTATUS = MPS3_UART_INTSTATUS_RX;
        MPS3_NVIC_CLEAR_PENDING = MPS3_UART0_RX_INTERRUPT;
        if ((MPS3_UART0->STATE & MPS3_UART_STATE_RX_FULL) == 0u) {
            __asm__ volatile("wfi" ::: "memory"); /* a byte since the clearing wakes at once */
        }
    }
    return (int32_t)(MPS3_UART0->DATA & 0xFFu);
}

void mcubnn_port_write(const uint8_t *data, uint32_t length) {
    for (uint32_t i = 0u; i < length; i++) {
        while ((MPS3_UART0->STATE & MPS3_UART_STATE_TX_FULL) != 0u) {
        }
        MPS3_UART0->DATA = data[i];
    }
}

uint32_t mcubnn_port_ticks(void) {
    return MPS3_COUNTER->CNTCV_LOW;
}

uint32_t mcubnn_port_tick_hz(void) {
    return MCUBNN_CORE_CLOCK_HZ;
}
