/**
 * 256 words, one an octet, for reading a fingerprint aloud: in alphabetical order, all of three to
 * eight letters, no two within one letter of each other.
 */
export const FINGERPRINT_WORDS: readonly string[] = `
  abacus acorn actor agent album amber anchor apple arrow atlas autumn bacon badge balcony bamboo
  banjo barrel basil beaver bell bingo bishop blanket blossom bottle bronze bucket buffalo cabin
  cactus camel candle canyon captain carbon cedar cello chalk cherry chimney cobalt cobra coffee
  comet copper coral cotton cricket crown cushion dagger daisy delta denim desk diesel dolphin
  donkey dragon drum dynamo eagle easel echo elbow eleven engine fable falcon fiddle finger flute
  forest fossil fox freckle funnel galaxy garlic gazelle gecko giant glacier goblet gravel guitar
  gypsum hammer harbour hazel helmet hermit hockey honey hotel husky iceberg igloo indigo ink iris
  iron island ivory jacket jaguar jasmine jelly jigsaw juice jungle kayak kennel kettle kidney
  kiosk kitten koala ladder lagoon lantern lava lavender lemon lentil lily linen lizard llama
  lobster lotus lunar magnet magpie mango maple marble meadow melon mirror mosaic muffin mustard
  napkin nectar needle nephew nickel noodle north nugget nutmeg oasis oboe ocean octopus olive
  onion opal orbit orchid otter oven owl oxygen oyster paddle panda papaya parrot pebble pelican
  pencil pepper piano pigeon pillow pirate planet pocket polo poppy prism pumpkin puzzle python
  quarry quartz quill quiver rabbit radish raven ribbon robin rubber ruby salmon sandal saturn
  scarf sequoia shadow shovel silver sketch soup spider sponge statue stereo sugar sunset syrup
  tablet tartan temple thimble thunder ticket tiger timber tomato topaz tractor trumpet tulip
  tundra turtle tuxedo twelve umbrella uncle urchin vacuum valley vanilla velvet vessel violin
  viper volcano vortex waffle wagon walnut walrus window winter wombat yacht yellow yogurt zebra
  zigzag zinc
`
  .trim()
  .split(/\s+/);
