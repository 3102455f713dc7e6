package example.ledger.policy;

import static example.ledger.testing.LedgerAssertions.assertMoney;
import static example.ledger.testing.Values.euros;

import example.ledger.money.Money;
import org.junit.jupiter.api.Test;

class TieredFeeTest {

    private final TieredFee fee = new TieredFee("2.0").from(euros("100.00"), "1.0");

    @Test
    void feeFor_takesTheBasePercentBelowTheFirstTier() {
        Money actual = fee.feeFor(euros("50.00"));

        assertMoney("1.00 EUR", actual);
    }

    @Test
    void feeFor_takesTheHighestTierThatIsReached() {
        Money actual = fee.feeFor(euros("300.00"));

        assertMoney("3.00 EUR", actual);
    }
}
