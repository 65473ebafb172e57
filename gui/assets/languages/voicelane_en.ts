<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
 <context>
  <name>voicelane</name>
  <message numerus="yes">
   <source>Review %n uncertain</source>
   <translation>
    <numerusform>Review %n uncertain</numerusform>
    <numerusform>Review %n uncertain</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>Review %n uncertain turns</source>
   <translation>
    <numerusform>Review %n uncertain turn</numerusform>
    <numerusform>Review %n uncertain turns</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>%n uncertain turns</source>
   <translation>
    <numerusform>%n uncertain turn</numerusform>
    <numerusform>%n uncertain turns</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>%n people have been heard.</source>
   <translation>
    <numerusform>%n person has been heard.</numerusform>
    <numerusform>%n people have been heard.</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>%n found</source>
   <translation>
    <numerusform>%n found</numerusform>
    <numerusform>%n found</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>%n files are heard after this one</source>
   <translation>
    <numerusform>%n file is heard after this one</numerusform>
    <numerusform>%n files are heard after this one</numerusform>
   </translation>
  </message>
  <message numerus="yes">
   <source>Listen to %n files</source>
   <translation>
    <numerusform>Listen to %n file</numerusform>
    <numerusform>Listen to %n files</numerusform>
   </translation>
  </message>
 </context>
</TS>
