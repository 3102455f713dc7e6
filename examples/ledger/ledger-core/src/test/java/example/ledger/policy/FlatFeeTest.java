package example.ledger.policy;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.euros;

import example.ledger.money.Money;
import org.junit.jupiter.api.Test;

class FlatFeeTest {

    @Test
    void feeFor_isTheSameForEachAmount() {
        FlatFee fee = new FlatFee(euros("1.50"));

        Money actual = fee.feeFor(euros("999.00"));

        assertMoney("1.50 EUR", actual);
    }

    @Test
    void feeFor_isWaivedFromALimitOn() {
        FlatFee fee = new FlatFee(euros("1.50"), euros("100.00"));

        Money actual = fee.feeFor(euros("100.00"));

        assertMoney("0.00 EUR", actual);
    }

    @Test
    void totalFor_addsTheFee() {
        FlatFee fee = new FlatFee(euros("1.50"));

        Money actual = fee.totalFor(euros("10.00"));

        assertMoney("11.50 EUR", actual);
    }
}
