import Sequencer from '@jest/test-sequencer';

/** Runs the specs in the order in which their room names them. */
export default class ListedOrderSequencer extends Sequencer {
  sort(tests) {
    const specs = JSON.parse(process.env.MUTANTS_SPECS);
    const placeOf = ({ path }) => specs.findIndex((spec) => path.endsWith(spec));
    return tests.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
