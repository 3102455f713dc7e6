package example.ledger.book;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SideTest {

    @Test
    void opposite_ofDebitIsCredit() {
        Side actual = Side.DEBIT.opposite();

        assertEquals(Side.CREDIT, actual);
    }
}
