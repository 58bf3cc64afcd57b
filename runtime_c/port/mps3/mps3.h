/** @file mps3.h
 *  The registers that mps3.c uses: the UART from the Cortex-M System Design Kit reference manual
 *  (Arm DDI 0479), the counter from the SSE-300 reference manual (Arm 101773), the addresses and
 *  clocks from application note AN547. The core boots secure, so these are the secure addresses.
 */
#ifndef MCUBNN_MPS3_H
#define MCUBNN_MPS3_H

#include <stdint.h>

/** APB UART, as on MPS2. */
typedef struct {
    volatile uint32_t DATA;
    volatile uint32_t STATE;
    volatile uint32_t CTRL;
    volatile uint32_t INTSTATUS;
    volatile uint32_t BAUDDIV; /**< peripheral clock / baud; at least 16 */
} mps3_uart;

#define MPS3_UART_STATE_TX_FULL (1u << 0)
#define MPS3_UART_STATE_RX_FULL (1u << 1)
#define MPS3_UART_CTRL_TX_ENABLE (1u << 0)
#define MPS3_UART_CTRL_RX_ENABLE (1u << 1)
#define MPS3_UART_CTRL_RX_INTERRUPT (1u << 3)
#define MPS3_UART_INTSTATUS_RX (1u << 1) /**< write 1 to clear */
#define MPS3_PERIPHERAL_CLOCK_HZ 25000000u

/** System counter, control frame: counts up at the system clock. */
typedef struct {
    volatile uint32_t CNTCR;
    volatile uint32_t CNTSR;
    volatile uint32_t CNTCV_LOW;
    volatile uint32_t CNTCV_HIGH;
} mps3_counter;

#define MPS3_COUNTER_ENABLE (1u << 0)

#define MPS3_COUNTER ((mps3_counter *)0x58100000u)
#define MPS3_UART0 ((mps3_uart *)0x59303000u)

/** Interrupt 33, in the second word of the core's interrupt controller. */
#define MPS3_UART0_RX_INTERRUPT (1u << 1)
#define MPS3_NVIC_ENABLE (*(volatile uint32_t *)0xE000E104u)
#define MPS3_NVIC_CLEAR_PENDING (*(volatile uint32_t *)0xE000E284u) /**< write 1 to clear */

#endif
