package example.ledger.policy;

import example.ledger.money.Money;

/** What it costs to move an amount. */
public interface FeePolicy {

    /** Returns the fee for an amount. */
    Money feeFor(Money amount);

    /** Returns an amount together with its fee. */
    default Money totalFor(Money amount) {
        return amount.plus(feeFor(amount));
    }
}
