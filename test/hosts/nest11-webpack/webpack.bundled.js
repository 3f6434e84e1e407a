/** All of node_modules in the file as well. */
module.exports = (options) => ({
  ...options,
  externals: [],
  output: { ...options.output, filename: 'bundled.js' },
});
