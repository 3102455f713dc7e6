package example.ledger.book;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.BANK;
import static example.ledger.testing.Values.euros;
import static org.junit.jupiter.api.Assertions.assertEquals;

import example.ledger.money.Money;
import org.junit.jupiter.api.Test;

class PostingTest {

    @Test
    void debits_areNegativeForACredit() {
        Posting posting = Posting.credit(BANK, euros("1.00"));

        Money actual = posting.debits();

        assertMoney("-1.00 EUR", actual);
    }

    @Test
    void reversed_changesTheSide() {
        Posting posting = Posting.debit(BANK, euros("1.00"));

        Posting actual = posting.reversed();

        assertEquals(Posting.credit(BANK, euros("1.00")), actual);
    }
}
